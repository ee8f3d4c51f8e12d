-- Hours of every series, in partitions of a month: the rows of width 1h alone. `windows` holds 65 rows
-- of three widths for each hour of a series, in a partition a day: a year of hours there is 65 times as
-- much to read, out of twelve times as many files and more.
--
-- Made of windows and not of readings, since windows follow the law of the rows: no BAD, energy of
-- registers, late readings restated.
--
-- Refreshed by a timer and not by each transaction: a refresh computes anew all between the oldest and
-- the newest row that came, and each transaction of a replay of years brings rows of all of them.
CREATE MATERIALIZED VIEW IF NOT EXISTS '{prefix}windows_1h'
WITH BASE '{prefix}windows' REFRESH EVERY 1m AS (
    SELECT
        ts,
        tenant,
        meter_id,
        channel,
        last(count) AS count,
        last(expected) AS expected,
        last(completeness) AS completeness,
        last(sum) AS sum,
        last(min) AS min,
        last(max) AS max,
        last(mean) AS mean,
        last(first) AS first,
        last(last) AS last,
        last(stddev) AS stddev,
        last(energy_wh) AS energy_wh,
        last(estimated) AS estimated
    FROM '{prefix}windows'
    WHERE width = '1h'
    SAMPLE BY 1h
) PARTITION BY MONTH;
