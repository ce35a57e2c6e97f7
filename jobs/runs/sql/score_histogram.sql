-- negatives by the student's similarity relative to the positive's (bins of 0.05), by tier
SELECT tier,
       floor(20 * dense_score / positive_dense_score) / 20 AS ratio_from,
       count(*) AS negatives
FROM negatives
WHERE positive_dense_score > 0
GROUP BY tier, ratio_from
ORDER BY tier, ratio_from
