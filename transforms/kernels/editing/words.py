"""Word lists of the editing operations: English, short, and of clear cases only."""


def listed(words: str) -> frozenset[str]:
    """The words of a list that is written as one string."""
    return frozenset(words.split())


FUNCTION_WORDS = listed(
    "a an the this that these those i you he she it we they me him her us them my your his its our "
    "their who whom whose which what when where why how and or but nor so yet if because as while "
    "although though than then of in on at by for with about against between among into through "
    "during before after above below to from up down out off over under again further once here "
    "there all any both each few more most other some such no not only own same too very can could "
    "will would shall should may might must is am are was were be been being have has had having "
    "do does did doing also just upon within without toward towards per via does now "
    "still already often usually currently generally today even"
)

_UNITS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen"
)
_TENS = "ten twenty thirty forty fifty sixty seventy eighty ninety"

NUMBER_WORDS = {word: 10 * tens for tens, word in enumerate(_TENS.split(), 1)} | {
    word: value for value, word in enumerate(_UNITS.split())
}

BOUNDS = listed(
    "least most than over under above below to about around approximately roughly nearly almost "
    "circa some exceeding within up beyond past minimum maximum"
)
"""Before a number they make it a bound or a guess, which another number may satisfy too."""

MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip

NEGATIONS = listed(
    "not no never neither nor none nobody nothing nowhere without cannot hardly scarcely barely "
    "rarely seldom fail fails failed lack lacks lacked lacking absence absent unlikely unable "
    "instead except deny denies denied refute refutes refuted contrary"
)

AUXILIARIES = listed("is are was were can could will would should has have had")
"""Those that take `not` right behind them."""

_OPPOSITES = """
increase decrease| increases decreases| increased decreased| increasing decreasing| rises falls|
rising falling| higher lower| high low| highest lowest| gain loss| gains losses| larger smaller|
largest smallest| large small| longer shorter| longest shortest| older younger| oldest youngest|
faster slower| fastest slowest| fast slow| early late| earlier later| earliest latest|
strong weak| stronger weaker| strongest weakest| positive negative| positively negatively|
upper lower| north south| northern southern| east west| eastern western| before after|
inside outside| internal external| maximum minimum| maximal minimal| first last| always never|
accept reject| accepts rejects| accepted rejected| allow forbid| allows forbids|
allowed forbidden| successful unsuccessful| win lose| wins loses| won lost|
buy sell| buys sells| bought sold| hot cold| hotter colder| warmer cooler| wet dry|
laminar turbulent| subsonic supersonic| compressible incompressible| thick thin|
thicker thinner| heavier lighter| deep shallow| deeper shallower| wide narrow| wider narrower|
male female| males females| activate inactivate| activates inactivates| activated inactivated|
active inactive| activation inactivation| upregulate downregulate| upregulates downregulates|
upregulated downregulated| upregulation downregulation| acute chronic| benign malignant|
proximal distal| anterior posterior| dorsal ventral| soluble insoluble| stable unstable|
stability instability| sufficient insufficient| sensitive resistant| dominant recessive|
voluntary involuntary| legal illegal| public private| import export| imports exports|
ascending descending
"""


def _pairs() -> dict[str, str]:
    found: dict[str, str] = {}
    for pair in _OPPOSITES.replace("\n", "").split("|"):
        left, right = pair.split()
        found.setdefault(left, right)
        found.setdefault(right, left)
    return found


ANTONYMS = _pairs()
"""Each word and its opposite, in the same form; of our own making."""

RISING = listed(
    "increase increases increased increasing rise rises rising rose elevate elevates elevated "
    "elevating enhance enhances enhanced enhancing raise raises raised raising higher high greater "
    "more upregulate upregulates upregulated upregulation promote promotes promoted gain gains "
    "grow grows grew growing grown growth improve improves improved larger elevation"
)
FALLING = listed(
    "decrease decreases decreased decreasing fall falls falling fell reduce reduces reduced "
    "reducing reduction diminish diminishes diminished decline declines declined declining lower "
    "low less fewer downregulate downregulates downregulated downregulation inhibit inhibits "
    "inhibited suppress suppresses suppressed loss losses impair impairs impaired smaller "
    "drop drops dropped shrink shrinks shrank attenuate attenuates attenuated"
)
"""Directions: a text that says one of them in other words is left alone."""

DIRECTED = listed(
    "causes caused activates activated inhibits inhibited induces induced regulates regulated "
    "suppresses suppressed promotes promoted precedes preceded follows followed defeats defeated "
    "conquers conquered invades invaded replaces replaced succeeds succeeded acquires acquired "
    "exceeds exceeded outperforms outperformed produces produced kills killed attacks attacked "
    "supports supported owns owned teaches taught founded discovered infects infected drives drove "
    "phosphorylates phosphorylated represses repressed encodes encoded increases decreases reduces "
    "improves affects affected controls controlled mediates mediated stimulates stimulated blocks "
    "blocked enhances predicts predicted protects protected targets targeted stabilizes degrades "
    "recruits recruited triggers triggered prevents prevented governs governed"
)
"""Verbs that say something else when their two sides change places."""

SYNONYMS = {
    "begin": "start", "begins": "starts", "began": "started", "big": "large", "large": "big",
    "quickly": "rapidly", "rapidly": "quickly", "often": "frequently", "frequently": "often",
    "buy": "purchase", "bought": "purchased", "help": "assist", "helps": "assists",
    "show": "demonstrate", "shows": "demonstrates", "showed": "demonstrated",
    "shown": "demonstrated", "found": "observed", "use": "employ", "uses": "employs",
    "used": "employed", "get": "obtain", "gets": "obtains", "many": "numerous",
    "important": "significant", "main": "principal", "whole": "entire", "almost": "nearly",
    "about": "approximately", "also": "additionally", "however": "nevertheless",
    "therefore": "thus", "thus": "therefore", "method": "technique", "methods": "techniques",
    "study": "investigation", "studies": "investigations", "enough": "sufficient", "city": "town",
    "company": "firm", "return": "give back", "several": "various", "usually": "generally",
    "given": "provided", "number": "count", "required": "needed", "described": "explained",
    "result": "outcome", "results": "outcomes", "built": "constructed", "children": "kids",
    "area": "region", "areas": "regions",
}  # fmt: skip
"""Words that may stand for one another in most sentences: for probes, never for negatives."""

PHRASES = (
    ("in order to", "to"), ("do not", "don't"), ("does not", "doesn't"), ("did not", "didn't"),
    ("is not", "isn't"), ("are not", "aren't"), ("was not", "wasn't"), ("were not", "weren't"),
    ("cannot", "can't"), ("because", "since"), ("such as", "like"), ("a number of", "some"),
    ("as well as", "and also"), ("due to", "because of"), ("in addition", "besides"),
    ("for example", "for instance"), ("according to", "as stated by"), ("%", " percent"),
    ("prior to", "before"), ("in contrast", "on the other hand"), ("one of the", "among the"),
    ("compared with", "relative to"), ("associated with", "linked to"), ("between", "among"),
    ("as a result", "consequently"), ("is able to", "can"), ("at the time", "then"),
)  # fmt: skip
"""Phrases and what says the same: for probes, never for negatives."""
