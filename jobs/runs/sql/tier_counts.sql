-- negatives, queries and mean scores of every tier
SELECT tier,
       count(*) AS negatives,
       count(DISTINCT query_id) AS queries,
       count(*) FILTER (backfilled) AS backfilled,
       avg(dense_score) AS mean_dense_score,
       avg(positive_dense_score) AS mean_positive_dense_score,
       avg(judge_margin) AS mean_judge_margin
FROM negatives
GROUP BY tier
ORDER BY mean_dense_score DESC, tier
