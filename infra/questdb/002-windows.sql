-- One row a window of a series: ts is the window's start, and the row with the highest revision has
-- replaced the others. Where count is 0 the statistics are null.
CREATE TABLE IF NOT EXISTS '{prefix}windows' (
    ts TIMESTAMP,
    tenant SYMBOL CAPACITY 1024,
    meter_id SYMBOL CAPACITY 131072,
    channel SYMBOL CAPACITY 1024,
    width SYMBOL CAPACITY 16,
    count LONG,
    expected DOUBLE,
    completeness DOUBLE,
    sum DOUBLE,
    min DOUBLE,
    max DOUBLE,
    mean DOUBLE,
    first DOUBLE,
    last DOUBLE,
    stddev DOUBLE,
    energy_wh DOUBLE,
    estimated BOOLEAN,
    revision LONG
) TIMESTAMP(ts) PARTITION BY DAY WAL
DEDUP UPSERT KEYS(ts, tenant, meter_id, channel, width);
