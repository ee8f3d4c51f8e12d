-- Meters as the registry says, mirrored so that analysts can join: ts is since when the row holds, so that
-- `ASOF JOIN` finds what held at a reading's time, and `LATEST ON ts PARTITION BY tenant, meter_id` what
-- holds now.
CREATE TABLE IF NOT EXISTS '{prefix}meters' (
    ts TIMESTAMP,
    tenant SYMBOL CAPACITY 1024,
    meter_id SYMBOL CAPACITY 131072,
    location_id SYMBOL CAPACITY 131072,
    kind SYMBOL CAPACITY 64,
    zone SYMBOL CAPACITY 1024,
    removed BOOLEAN,
    version LONG
) TIMESTAMP(ts) PARTITION BY YEAR WAL
DEDUP UPSERT KEYS(ts, tenant, meter_id);
