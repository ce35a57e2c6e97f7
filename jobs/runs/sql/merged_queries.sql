-- queries that stand for others of the same text, and those others' identifiers
SELECT query_id, text, merged_ids
FROM queries
WHERE len(merged_ids) > 0
ORDER BY query_id
