-- What became of the parent's negatives, by tier (of a run that `negmine refresh` made).
SELECT parent_tier, verdict, tier, count(*) AS negatives, count(*) FILTER (easy) AS easy,
    count(*) FILTER (stale) AS stale, round(avg(parent_dense_score), 4) AS dense_then,
    round(avg(dense_score), 4) AS dense_now
FROM refreshed
GROUP BY ALL
ORDER BY parent_tier, negatives DESC, verdict, tier
