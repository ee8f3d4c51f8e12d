-- Places of meters, mirrored like the meters. parent_id leads up to feeder, site or region.
CREATE TABLE IF NOT EXISTS '{prefix}locations' (
    ts TIMESTAMP,
    tenant SYMBOL CAPACITY 1024,
    location_id SYMBOL CAPACITY 131072,
    parent_id SYMBOL CAPACITY 1024,
    kind SYMBOL CAPACITY 64,
    name VARCHAR,
    zone SYMBOL CAPACITY 1024,
    removed BOOLEAN,
    version LONG
) TIMESTAMP(ts) PARTITION BY YEAR WAL
DEDUP UPSERT KEYS(ts, tenant, location_id);
