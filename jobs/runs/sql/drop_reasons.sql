-- candidates by verdict, with their share
SELECT verdict,
       policy,
       count(*) AS candidates,
       round(100 * count(*) / sum(count(*)) OVER (), 2) AS percent
FROM ledger
GROUP BY verdict, policy
ORDER BY candidates DESC, verdict, policy
