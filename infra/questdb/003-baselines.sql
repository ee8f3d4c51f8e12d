-- What was expected of a window before it closed: centre, and the bounds of what is ordinary.
CREATE TABLE IF NOT EXISTS '{prefix}baselines' (
    ts TIMESTAMP,
    tenant SYMBOL CAPACITY 1024,
    meter_id SYMBOL CAPACITY 131072,
    channel SYMBOL CAPACITY 1024,
    width SYMBOL CAPACITY 16,
    kind SYMBOL CAPACITY 16,
    centre DOUBLE,
    lower DOUBLE,
    upper DOUBLE,
    n LONG,
    revision LONG
) TIMESTAMP(ts) PARTITION BY DAY WAL
DEDUP UPSERT KEYS(ts, tenant, meter_id, channel, width, kind);
