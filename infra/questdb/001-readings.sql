-- Every measurement of every reading, one row each: ts is the time of the reading, microseconds UTC.
--
-- Symbol capacity: where 80 % of it is used QuestDB doubles it by itself (9.0 and newer), in less than a
-- second for a million meters. 131072 is where most fleets never see that happen. An empty table takes
-- 76 kB with any capacity; with 100,000 meters in it the column takes 23 MB, and would take 37 MB with a
-- capacity of a million. NOCACHE made writing a million meters five times slower.
--
-- No TTL: replayed history would expire as it arrives.
CREATE TABLE IF NOT EXISTS '{prefix}readings' (
    ts TIMESTAMP,
    tenant SYMBOL CAPACITY 1024,
    meter_id SYMBOL CAPACITY 131072,
    channel SYMBOL CAPACITY 1024,
    value DOUBLE,
    quality SYMBOL CAPACITY 16,
    seq LONG
) TIMESTAMP(ts) PARTITION BY DAY WAL
DEDUP UPSERT KEYS(ts, tenant, meter_id, channel);
