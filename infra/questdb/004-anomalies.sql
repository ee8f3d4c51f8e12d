-- Verdicts on windows. state 'retracted' takes one back: leave such rows out. 'ended': a silence that is over.
CREATE TABLE IF NOT EXISTS '{prefix}anomalies' (
    ts TIMESTAMP,
    tenant SYMBOL CAPACITY 1024,
    meter_id SYMBOL CAPACITY 131072,
    channel SYMBOL CAPACITY 1024,
    width SYMBOL CAPACITY 16,
    kind SYMBOL CAPACITY 16,
    score DOUBLE,
    pct_change DOUBLE,
    expected DOUBLE,
    lower DOUBLE,
    upper DOUBLE,
    value DOUBLE,
    severity SYMBOL CAPACITY 16,
    state SYMBOL CAPACITY 16,
    run LONG,
    revision LONG
) TIMESTAMP(ts) PARTITION BY DAY WAL
DEDUP UPSERT KEYS(ts, tenant, meter_id, channel, width, kind);
