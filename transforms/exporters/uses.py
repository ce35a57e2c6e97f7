"""What a loss or a trainer can use: its format, its scores and their scale, and what it cannot."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from negmine.schemas.errors import ConfigError
from negmine.transforms.exporters.reading.options import Options, Scale

Scores = str
"""`never`: it does not read them; `may`; `must`: it learns from nothing else."""


@dataclass(frozen=True)
class Use:
    """One loss or trainer.

    Attributes:
        format: what it is given where no --format is named; `formats` are others that it reads.
        scores: `never`, `may` or `must`.
        scale: of its scores.
        instead: what to do where it cannot use what was asked for.
        ranking: whether it is given the student's own ranking.
        about: one line for people.
    """

    format: str
    scores: Scores
    about: str
    scale: Scale = "raw"
    formats: tuple[str, ...] = ()
    instead: str = ""
    ranking: bool = False


_MNRL = Use(
    "n_tuple",
    "never",
    "a positive against its negatives and the batch's",
    formats=("triplet", "hf"),
    instead="use MarginMSELoss or DistillKLDivLoss",
)
_PAIRS = Use(
    "labeled_pair",
    "never",
    "pairs labelled 1 and 0",
    instead="use CosineSimilarityLoss or CoSENTLoss",
)
_LISTS = Use("labeled_list", "may", "a query's documents with labels, or teacher scores")
_IN_BATCH = "use MultipleNegativesRankingLoss, or mine with a judge"

USES: Mapping[str, Use] = {
    "MultipleNegativesRankingLoss": _MNRL,
    "CachedMultipleNegativesRankingLoss": _MNRL,
    "GISTEmbedLoss": _MNRL,
    "CachedGISTEmbedLoss": _MNRL,
    "TripletLoss": replace(_MNRL, format="triplet", formats=("hf",), about="one negative a row"),
    "MarginMSELoss": Use(
        "n_tuple",
        "must",
        "a teacher's margins, on the student's scale",
        scale="student",
        formats=("triplet",),
        instead=_IN_BATCH,
    ),
    "DistillKLDivLoss": Use(
        "n_tuple",
        "must",
        "a teacher's distribution over the row, on the student's scale",
        scale="student",
        formats=("triplet",),
        instead=_IN_BATCH,
    ),
    "CosineSimilarityLoss": Use(
        "labeled_pair", "may", "a similarity to reach for each pair", scale="student"
    ),
    "CoSENTLoss": Use("labeled_pair", "may", "an order of pairs"),
    "AnglELoss": Use("labeled_pair", "may", "an order of pairs"),
    "ContrastiveLoss": _PAIRS,
    "OnlineContrastiveLoss": _PAIRS,
    "BinaryCrossEntropyLoss": Use(
        "bce", "may", "CrossEncoder: pairs labelled from 0 to 1, graded", scale="unit"
    ),
    "LambdaLoss": replace(_LISTS, scale="unit", about="CrossEncoder: gains, so not below 0"),
    "ListNetLoss": replace(_LISTS, about="CrossEncoder: a distribution over the list"),
    "ListMLELoss": replace(_LISTS, about="CrossEncoder: an order of the list"),
    "PListMLELoss": replace(_LISTS, about="CrossEncoder: an order of the list, its top first"),
    "RankNetLoss": replace(_LISTS, about="CrossEncoder: an order of pairs in the list"),
    "ADRMSELoss": replace(_LISTS, about="CrossEncoder: ranks in the list"),
    "CrossEncoder.MarginMSELoss": Use(
        "n_tuple",
        "must",
        "CrossEncoder: a teacher's margins, its own",
        formats=("triplet",),
        instead="use BinaryCrossEntropyLoss, or mine with a judge",
    ),
    "CrossEncoder.MultipleNegativesRankingLoss": replace(
        _MNRL, about="CrossEncoder: a positive against its negatives", instead="use LambdaLoss"
    ),
    "reranker": Use(
        "labeled_list",
        "may",
        "lists of the student's own ranking, known positives labelled",
        formats=("bce", "ms_swift_reranker", "flagembedding_reranker", "trec_run", "lightning_ir"),
        ranking=True,
    ),
    "flagembedding": Use("flagembedding", "may", "its embedders; scores are for distillation"),
    "flagembedding-reranker": Use("flagembedding_reranker", "may", "its rerankers"),
    "tevatron": Use("tevatron", "may", "texts in the lines", formats=("tevatron_v2",)),
    "pylate": Use(
        "pylate", "never", "its Contrastive loss", formats=("triplet",), instead="use pylate-kd"
    ),
    "pylate-kd": Use(
        "pylate_kd", "must", "its Distillation loss", formats=("lighton",), instead="use pylate"
    ),
    "colbert": Use("colbert", "may", "its Trainer; nway = n + 1"),
    "automodel": Use(
        "automodel",
        "never",
        "NeMo's bi-encoder and cross-encoder",
        formats=("automodel_inline",),
        instead="use flagembedding",
    ),
    "ms-swift": Use(
        "ms_swift", "never", "its embedding task", instead="use flagembedding or MarginMSELoss"
    ),
    "ms-swift-reranker": Use(
        "ms_swift_reranker", "never", "its reranker tasks", instead="use flagembedding-reranker"
    ),
    "lightning-ir": Use("lightning_ir", "may", "its RunDataset"),
}

SHORT = {
    "MNRL": "MultipleNegativesRankingLoss",
    "CachedMNRL": "CachedMultipleNegativesRankingLoss",
    "MarginMSE": "MarginMSELoss",
    "KLDiv": "DistillKLDivLoss",
    "BCE": "BinaryCrossEntropyLoss",
    "ListNet": "ListNetLoss",
    "ListMLE": "ListMLELoss",
    "PListMLE": "PListMLELoss",
    "RankNet": "RankNetLoss",
}
"""Names by which people call them."""


def _plain(name: str) -> str:
    return name.lower().replace("-", "").replace("_", "")


def use_of(name: str) -> tuple[str, Use]:
    """The loss or trainer of a name, whatever its case. Raises ConfigError, naming all."""
    names = {_plain(every): every for every in USES}
    names |= {_plain(short): every for short, every in SHORT.items()}
    found = names.get(_plain(name))
    if found is None:
        raise ConfigError(f"--for {name!r:.60}: there are {', '.join(USES)}")
    return found, USES[found]


def for_use(format: str | None, options: Options, has_lists: bool) -> tuple[str, Options]:
    """The format and the options for `options.use`; what that cannot use is refused.

    `has_lists` says whether the run has teacher lists, which are then what distillation gets.
    Raises ConfigError.
    """
    if options.use is None:
        if format is None:
            raise ConfigError(
                "say what is to be written: --format triplet, or --for MultipleNegativesRankingLoss"
            )
        return format, options
    told, use = use_of(options.use)
    options = replace(options, use=told)
    chosen = (format or use.format).replace("-", "_")
    if chosen not in (use.format, *use.formats):
        raise ConfigError(
            f"--for {told} reads {', '.join((use.format, *use.formats))}, not {chosen}; leave out "
            "--format, or --for"
        )
    if use.scores == "never":
        given = "scores" if options.scores else "scale" if options.scale else None
        if given:
            raise ConfigError(f"{told} reads no scores; leave out --{given}, or {use.instead}")
        return chosen, replace(options, ranking=use.ranking or options.ranking)
    if use.scores == "must":
        lists = options.lists or (has_lists and not options.tiers and options.epochs is None)
        options = replace(options, scores=True, lists=lists and not options.ranking)
    if options.scores and options.scale is None and not options.raw:
        options = replace(options, scale=use.scale)
    if use.ranking:
        options = replace(options, ranking=True)
    return chosen, options


def check_scores(options: Options, scores: str, run_id: str) -> None:
    """Raise ConfigError where a use learns from a teacher's scores and the run has none."""
    if options.use is None:
        return
    told, use = use_of(options.use)
    if use.scores == "must" and scores == "dense":
        raise ConfigError(
            f"{told} learns from a teacher's scores, and run {run_id} has none of every negative "
            f"and positive; {use.instead}"
        )
