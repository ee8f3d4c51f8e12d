-- Days (UTC) of every series, made of its hours, for months and years at once. expected and completeness
-- are those of 24 hours, so that hours without a row count as missing. Days of local time are made of
-- the hours: docs/analysts.md.
CREATE MATERIALIZED VIEW IF NOT EXISTS '{prefix}windows_1d'
WITH BASE '{prefix}windows_1h' REFRESH IMMEDIATE AS (
    SELECT
        ts,
        tenant,
        meter_id,
        channel,
        sum(count) AS count,
        24 * avg(expected) AS expected,
        CASE
            WHEN sum(count) < 24 * avg(expected) THEN sum(count) / (24 * avg(expected))
            WHEN avg(expected) IS NOT NULL THEN 1.0
        END AS completeness,
        sum(sum) AS sum,
        min(min) AS min,
        max(max) AS max,
        sum(sum) / sum(count) AS mean,
        first_not_null(first) AS first,
        last_not_null(last) AS last,
        sum(energy_wh) AS energy_wh,
        count() AS hours,
        sum(CASE WHEN estimated THEN 1 ELSE 0 END) AS hours_estimated
    FROM '{prefix}windows_1h'
    SAMPLE BY 1d
) PARTITION BY YEAR;
