-- Every measurement of every reading, one row each: ts is the time of the reading, microseconds UTC.
--
-- Symbol capacity: where 80 % of it is used QuestDB scales it up by itself (9.0 and newer), so that a
-- larger fleet needs no change here. 131072 is where most fleets never see that happen; a million would
-- take 14 MB more a table on disk with 100,000 meters in it. Figures: docs/design.md, section 3.
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
