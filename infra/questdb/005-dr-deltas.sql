-- Demand response: what a meter used less than predicted in [ts, end) of an event.
CREATE TABLE IF NOT EXISTS '{prefix}dr_deltas' (
    ts TIMESTAMP,
    "end" TIMESTAMP,
    tenant SYMBOL CAPACITY 1024,
    event_id SYMBOL CAPACITY 1024,
    meter_id SYMBOL CAPACITY 131072,
    method SYMBOL CAPACITY 16,
    prediction DOUBLE,
    actual DOUBLE,
    delta DOUBLE,
    completeness DOUBLE,
    revision LONG
) TIMESTAMP(ts) PARTITION BY DAY WAL
DEDUP UPSERT KEYS(ts, tenant, event_id, meter_id, method);
