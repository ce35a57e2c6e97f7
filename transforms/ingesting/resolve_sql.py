"""What resolving does, in SQL: identifiers to positions, dead letters, what is written."""

EVALUATION_QUERY = "evaluation_query"
"""Countable reason of the queries that are left out because an evaluation query has their text."""

FIRST = """
CREATE TABLE duplicated_{kind} AS
    SELECT id, min({{'file': file, 'line': line}}) AS first
    FROM raw_{kind} GROUP BY id HAVING count(*) > 1;
CREATE TABLE told_{kind} AS
    SELECT id, text_key, min(language) AS language
    FROM raw_{kind} SEMI JOIN duplicated_{kind} USING (id)
    WHERE language IS NOT NULL GROUP BY id, text_key;
CREATE VIEW first_{kind} AS
    SELECT r.* REPLACE (coalesce(t.language, r.language) AS language)
    FROM raw_{kind} r LEFT JOIN duplicated_{kind} d ON r.id = d.id
    LEFT JOIN told_{kind} t ON r.id = t.id AND r.text_key = t.text_key
    WHERE d.id IS NULL OR {{'file': r.file, 'line': r.line}} = d.first;
CREATE TABLE repeated_{kind} AS
    SELECT r.file, r.line, r.id, d.first, left(r.text, 200) AS head, r.text = f.text AS same
    FROM raw_{kind} r JOIN duplicated_{kind} d USING (id) JOIN first_{kind} f USING (id)
    WHERE {{'file': r.file, 'line': r.line}} <> d.first AND $own_ids;
"""

IDENTIFIERS = """
CREATE TABLE document_ids AS
    SELECT id, text_key, {whole} AS whole, row_number() OVER (ORDER BY id) - 1 AS doc_ix
    FROM first_documents;
CREATE TABLE query_ids AS SELECT id, text_key, lot FROM first_queries;
"""
AS_THEY_ARE = """
CREATE VIEW named_documents AS SELECT id, doc_ix, text_key, 1 AS passages FROM document_ids;
CREATE VIEW document_names AS SELECT id FROM document_ids;
"""
CUT = """
ALTER VIEW first_documents RENAME TO first_passages;
CREATE TABLE first_wholes AS
    SELECT whole, min({'file': file, 'line': line}) AS first FROM raw_documents GROUP BY whole;
CREATE VIEW first_documents AS
    SELECT r.* FROM first_passages r JOIN first_wholes w USING (whole)
    WHERE {'file': r.file, 'line': r.line} = w.first;
"""
CUT_NAMES = """
CREATE VIEW named_documents AS
    SELECT whole AS id, doc_ix, text_key, count(*) OVER (PARTITION BY whole) AS passages
    FROM document_ids
    UNION ALL
    SELECT d.id, d.doc_ix, d.text_key, 1
    FROM document_ids d ANTI JOIN document_ids w ON d.id = w.whole;
CREATE VIEW document_names AS SELECT DISTINCT id FROM named_documents;
"""
"""A judgement names a document as it came in or, where there is none, one of the passages."""

EVALUATION = """
CREATE VIEW evaluation_query_ids AS SELECT id, text_key FROM {asked};
CREATE TABLE evaluation_query_keys AS
    SELECT DISTINCT text_key FROM evaluation_query_ids q
    SEMI JOIN raw_evaluation_qrels r ON q.id = r.query_id;
CREATE TABLE evaluation_document_keys AS
    SELECT DISTINCT text_key FROM (
        SELECT id, text_key FROM named_documents
        UNION ALL SELECT id, text_key FROM raw_evaluation_documents
    ) d SEMI JOIN (SELECT doc_id FROM raw_evaluation_qrels WHERE positive) r ON d.id = r.doc_id;
CREATE TABLE evaluation_dangling AS
    SELECT r.file, r.line, r.query_id, r.doc_id, q.id IS NULL AS no_query, '{kind}' AS queries
    FROM raw_evaluation_qrels r
    LEFT JOIN (SELECT DISTINCT id FROM evaluation_query_ids) q ON r.query_id = q.id
    LEFT JOIN document_names d ON r.doc_id = d.id
    LEFT JOIN (SELECT DISTINCT id FROM raw_evaluation_documents) e ON r.doc_id = e.id
    WHERE r.positive AND (q.id IS NULL OR (d.id IS NULL AND e.id IS NULL));
"""

POSITIONS = """
CREATE TABLE judged AS
    SELECT r.*, d.doc_ix, d.passages, {certain} AS certain, q.text_key, q.lot,
        q.id IS NULL AS no_query
    FROM raw_qrels r
    LEFT JOIN named_documents d ON r.doc_id = d.id
    LEFT JOIN query_ids q ON r.query_id = q.id;
CREATE TABLE labelled AS
    SELECT r.*, d.doc_ix, d.passages, {certain} AS certain, q.text_key, q.id IS NULL AS no_query
    FROM raw_labels r
    LEFT JOIN named_documents d ON r.doc_id = d.id
    LEFT JOIN query_ids q ON r.query_id = q.id;
CREATE TABLE known_positives AS
    SELECT text_key, query_id, doc_ix, max(grade) AS grade, bool_or(certain) AS certain FROM (
        SELECT text_key, query_id, doc_ix, grade, certain FROM judged
        WHERE doc_ix IS NOT NULL AND NOT no_query
        UNION ALL
        SELECT text_key, CASE WHEN own THEN query_id END, doc_ix, NULL, certain FROM labelled
        WHERE doc_ix IS NOT NULL AND NOT no_query AND positive
    ) GROUP BY text_key, query_id, doc_ix;
CREATE TABLE refused AS
    SELECT DISTINCT text_key, doc_id FROM labelled
    SEMI JOIN known_positives USING (text_key, doc_ix) WHERE NOT positive;
CREATE TABLE alive AS
    SELECT query_id AS id, any_value(text_key) AS text_key, any_value(lot) AS lot
    FROM judged WHERE doc_ix IS NOT NULL AND NOT no_query AND certain GROUP BY query_id;
CREATE TABLE excluded AS SELECT id FROM alive SEMI JOIN evaluation_query_keys USING (text_key);
CREATE TABLE merged AS
    SELECT text_key, min(id) AS id, arg_min(lot, id) AS lot, list(id ORDER BY id)[2:] AS merged_ids
    FROM alive ANTI JOIN evaluation_query_keys USING (text_key) GROUP BY text_key{apart};
CREATE TABLE chosen AS
    SELECT *, row_number() OVER (ORDER BY id) - 1 AS query_ix
    FROM (FROM merged ORDER BY lot, id {limit});
"""

DEAD = """
CREATE TABLE lost AS
    SELECT kind, id, min({'file': file, 'line': line}) AS first
    FROM raw_bad WHERE id IS NOT NULL GROUP BY kind, id;
CREATE TABLE dead AS
    SELECT file, line, replace(kind, 'evaluation_', '') AS kind, code, reason, excerpt FROM raw_bad
    UNION ALL
    SELECT r.file, r.line, r.kind, 'duplicate_id',
        format('duplicate id ''{}'', first seen in {} line {}', r.id, f.name, r.first.line),
        r.id || chr(9) || r.head
    FROM (
        SELECT file, line, 'documents' AS kind, id, first, head FROM repeated_documents
        WHERE NOT same
        UNION ALL
        SELECT file, line, 'queries', id, first, head FROM repeated_queries WHERE NOT same
    ) r JOIN files f ON f.file = r.first.file
    UNION ALL
    SELECT j.file, j.line, j.kind,
        CASE WHEN f.name IS NOT NULL THEN 'dead_' ELSE 'unknown_' END || j.what,
        CASE WHEN f.name IS NULL THEN format('unknown {} ''{}''', j.what, j.id)
        ELSE format('{} ''{}'' is a dead letter itself ({} line {})',
            j.what, j.id, f.name, l.first.line) END,
        query_id || chr(9) || doc_id
    FROM (
        SELECT *, CASE WHEN no_query THEN 'query' ELSE 'document' END AS what,
            CASE WHEN no_query THEN queries ELSE 'documents' END AS whose,
            CASE WHEN no_query THEN query_id ELSE doc_id END AS id
        FROM (
            SELECT 'qrels' AS kind, file, line, query_id, doc_id, no_query, 'queries' AS queries
            FROM judged WHERE no_query OR doc_ix IS NULL
            UNION ALL SELECT 'qrels', * FROM evaluation_dangling
            UNION ALL
            SELECT 'labels', file, line, query_id, doc_id, no_query, 'queries'
            FROM labelled WHERE no_query OR doc_ix IS NULL
        )
    ) j
    LEFT JOIN lost l ON l.kind = j.whose AND l.id = j.id
    LEFT JOIN files f ON f.file = l.first.file
    UNION ALL
    SELECT DISTINCT file, line, kind, 'cut_document',
        format('document ''{0}'' was cut into {1} passages, and which of them answers is not '
            || 'said; name one, as ''{0}#1'', or set input.passages.labels: all', doc_id, passages),
        query_id || chr(9) || doc_id
    FROM (
        SELECT 'qrels' AS kind, file, line, query_id, doc_id, passages FROM judged
        WHERE NOT certain AND doc_ix IS NOT NULL AND NOT no_query
        UNION ALL
        SELECT 'labels', file, line, query_id, doc_id, passages FROM labelled
        WHERE NOT certain AND doc_ix IS NOT NULL AND NOT no_query AND positive
    )
    UNION ALL
    SELECT DISTINCT file, line, 'labels', 'negative_is_positive',
        format('document ''{}'' is a known positive of query ''{}'' and stays one',
            doc_id, query_id),
        query_id || chr(9) || doc_id
    FROM labelled SEMI JOIN refused USING (text_key, doc_id) WHERE NOT positive
    UNION ALL
    SELECT q.file, q.line, 'queries', '$evaluation_query',
        'has the text of an evaluation query, so it is not mined',
        q.id || chr(9) || left(q.text, 200)
    FROM first_queries q SEMI JOIN excluded e ON q.id = e.id;
"""

DOCUMENTS = """
SELECT id AS doc_id, text, id_key AS doc_key, text_key, minhash,
    text_key IN (FROM evaluation_document_keys) AS in_evaluation, group_key, place, language
FROM first_documents ORDER BY id
"""
QUERIES = """
SELECT c.query_ix, c.id AS query_id, r.text, r.id_key AS query_key, r.text_key, c.merged_ids,
    r.language
FROM chosen c JOIN first_queries r ON r.id = c.id ORDER BY c.query_ix
"""
POSITIVES = """
SELECT query_ix, doc_ix, max(grade) FILTER (own) AS grade, bool_or(own) AS own
FROM (
    SELECT c.query_ix, p.doc_ix, p.grade,
        p.certain AND coalesce(p.query_id = c.id OR list_contains(c.merged_ids, p.query_id), false)
            AS own
    FROM known_positives p JOIN chosen c USING (text_key)
) GROUP BY query_ix, doc_ix ORDER BY query_ix, doc_ix
"""
CONFIRMED_NEGATIVES = """
SELECT DISTINCT c.query_ix, l.doc_ix
FROM labelled l ANTI JOIN refused USING (text_key, doc_id) JOIN chosen c USING (text_key)
WHERE l.doc_ix IS NOT NULL AND NOT l.positive ORDER BY ALL
"""
DEAD_LETTERS = """
SELECT f.name AS file, d.line, d.kind, d.reason, left(d.excerpt, 200) AS excerpt
FROM dead d JOIN files f USING (file) ORDER BY d.kind, d.file, d.line, d.reason
"""
COUNTS = """
WITH fates AS (
    SELECT j.no_query OR j.doc_ix IS NULL AS dangling, c.query_ix, j.doc_ix
    FROM judged j LEFT JOIN (
        SELECT query_ix, unnest(list_append(merged_ids, id)) AS query_id FROM chosen
    ) c USING (query_id)
)
SELECT (SELECT count(*) FROM document_ids) AS documents,
    (SELECT count(*) FROM chosen) AS queries,
    (SELECT count(*) FROM dead) AS dead_letters,
    (SELECT count(language) FROM first_documents) + (SELECT count(language) FROM chosen
        JOIN first_queries USING (id)) AS texts_with_language,
    (SELECT count(*) FROM repeated_documents WHERE same)
        + (SELECT count(*) FROM repeated_queries WHERE same)
        + (SELECT coalesce(sum(n - 1), 0)
            FROM (SELECT count(*) AS n FROM raw_qrels GROUP BY query_id, doc_id, grade))
        AS repeated_rows,
    (SELECT count(*) FROM query_ids) - (SELECT count(*) FROM alive) AS queries_without_positives,
    (SELECT count(*) FROM alive) - (SELECT count(*) FROM excluded)
        - (SELECT count(*) FROM merged) AS merged_queries,
    (SELECT count(*) FROM merged) - (SELECT count(*) FROM chosen) AS queries_over_limit,
    (SELECT count(*) FROM excluded) AS evaluation_queries,
    (SELECT count(*) FROM document_ids SEMI JOIN evaluation_document_keys USING (text_key))
        AS evaluation_documents,
    (SELECT count(*) FROM raw_evaluation_qrels WHERE positive)
        - (SELECT count(*) FROM evaluation_dangling) AS evaluation_judgements,
    (SELECT count(*) FROM fates) AS judgements,
    (SELECT count(*) FROM fates WHERE dangling) AS dangling_judgements,
    (SELECT count(*) FROM fates WHERE NOT dangling AND query_ix IS NULL) AS unmined_judgements,
    (SELECT count(*) - count(DISTINCT (query_ix, doc_ix)) FROM fates
        WHERE NOT dangling AND query_ix IS NOT NULL) AS repeated_judgements,
    (SELECT count(DISTINCT (text_key, doc_ix)) FROM labelled SEMI JOIN chosen USING (text_key)
        WHERE positive AND doc_ix IS NOT NULL) AS labelled_positives,
    (SELECT count(*) FROM labelled ANTI JOIN chosen USING (text_key)
        WHERE doc_ix IS NOT NULL AND NOT no_query) AS unused_labels
"""
REASONS = """
SELECT code, count(*) AS rows,
    arg_min({{'name': f.name, 'line': line, 'reason': reason}}, (kind, d.file, line, reason))
        AS first
FROM dead d JOIN files f USING (file) WHERE {some} GROUP BY code ORDER BY rows DESC, code
"""
LOST = f"""
SELECT file, count(*) FROM dead
WHERE code NOT IN ('{EVALUATION_QUERY}', 'cut_document', 'negative_is_positive') GROUP BY file
"""
JUDGED = """
SELECT file, count(*) AS rows FROM (
    SELECT file FROM raw_evaluation_qrels WHERE positive
    UNION ALL SELECT file FROM raw_labels
    UNION ALL SELECT file FROM raw_bad WHERE kind IN ('evaluation_qrels', 'labels')
) GROUP BY file
"""
USED = """
SELECT file, count(*) AS rows FROM (
    SELECT r.file FROM raw_evaluation_qrels r ANTI JOIN evaluation_dangling USING (file, line)
    WHERE r.positive
    UNION ALL SELECT file FROM labelled WHERE doc_ix IS NOT NULL AND NOT no_query
) GROUP BY file
"""
