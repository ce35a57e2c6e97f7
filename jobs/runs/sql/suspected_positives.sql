-- dropped candidates that the judge scores above the known positive: unlabelled positives?
SELECT query_id, doc_id, judge_score, positive_judge_score, dense_score, verdict
FROM ledger
WHERE judge_score > positive_judge_score AND NOT is_positive AND verdict <> 'kept'
ORDER BY judge_score - positive_judge_score DESC, query_id, doc_id
LIMIT 50
