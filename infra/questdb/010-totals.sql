-- One row a window of a tenant or a place: the sum over its meters. ts is the window's start, and the
-- row with the highest revision has replaced the others. While final is false, meters are awaited.
-- Months, since there are few rows: a replay of years would write thousands of days of them.
CREATE TABLE IF NOT EXISTS '{prefix}totals' (
    ts TIMESTAMP,
    tenant SYMBOL CAPACITY 1024,
    scope SYMBOL CAPACITY 16,
    scope_id SYMBOL CAPACITY 131072,
    channel SYMBOL CAPACITY 1024,
    width SYMBOL CAPACITY 16,
    sum DOUBLE,
    mean DOUBLE,
    energy_wh DOUBLE,
    reporting LONG,
    expected LONG,
    final BOOLEAN,
    revision LONG
) TIMESTAMP(ts) PARTITION BY MONTH WAL
DEDUP UPSERT KEYS(ts, tenant, scope, scope_id, channel, width);
