-- documents that are a negative of the most queries
SELECT negative_id,
       count(*) AS queries,
       round(100 * count(*) / (SELECT count(*) FROM sets), 2) AS percent_of_queries,
       avg(dense_score) AS mean_dense_score
FROM negatives
GROUP BY negative_id
ORDER BY queries DESC, negative_id
LIMIT 20
