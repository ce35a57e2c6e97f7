-- queries that miss the most negatives, with what became of their candidates
SELECT query_id, negatives, shortfall, backfilled, candidates, verdict_counts
FROM sets
WHERE shortfall > 0
ORDER BY shortfall DESC, query_id
LIMIT 50
