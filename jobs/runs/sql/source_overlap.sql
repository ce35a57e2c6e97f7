-- candidates and kept negatives by the set of sources that returned them
SELECT array_to_string(sources, '+') AS sources,
       count(*) AS candidates,
       count(*) FILTER (verdict = 'kept') AS kept,
       round(100 * count(*) FILTER (verdict = 'kept') / count(*), 2) AS percent_kept
FROM ledger
GROUP BY ALL
ORDER BY candidates DESC, sources
