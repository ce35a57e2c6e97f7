-- queries with the lowest ECI, with S (signal), Delta (safety) and N (negatives)
SELECT query_id, eci, signal, safety, harmonic_mean, negatives, shortfall
FROM sets
ORDER BY eci, query_id
LIMIT 20
