{#- A row for each period in which the company is open, and one for each day without, in
the zone of the business hours. -#}

with hours as (
  select
    days,
    cast({{ dbt.split_part('from_time', "':'", 1) }} as {{ dbt.type_int() }}) * 60
      + cast({{ dbt.split_part('from_time', "':'", 2) }} as {{ dbt.type_int() }}) as opening_minute,
    cast({{ dbt.split_part('to_time', "':'", 1) }} as {{ dbt.type_int() }}) * 60
      + cast({{ dbt.split_part('to_time', "':'", 2) }} as {{ dbt.type_int() }}) as closing_minute,
    timezone
  from {{ ref('stg_gorgias__business_hours') }}
),

weekday as (
  {% for number in range(1, 8) -%}
  select {{ number }} as weekday {{ 'union all' if not loop.last }}
  {% endfor %}
),

opening as (
  select weekday.weekday, hours.*
  from hours
  inner join weekday
    on {{ dbt.concat(["','", "replace(hours.days, ' ', '')", "','"]) }}
    like {{ dbt.concat(["'%,'", 'cast(weekday.weekday as ' ~ dbt.type_string() ~ ')', "',%'"]) }}
),

{# A period that ends on the next day is split at midnight. -#}
part as (
  select
    weekday,
    opening_minute,
    case when closing_minute <= opening_minute then 1440 else closing_minute end as closing_minute
  from opening
  union all
  select
    mod(weekday, 7) + 1 as weekday,
    0 as opening_minute,
    closing_minute
  from opening
  where closing_minute < opening_minute and closing_minute > 0
),

zone as (
  select max(timezone) as timezone from hours
),

span as (
  select
    {{ dbt.cast(dbt.dateadd('day', -2, 'min(created_datetime)'), 'date') }} as first_date,
    {{ dbt.cast(dbt.dateadd('day', 2, 'max(last_datetime)'), 'date') }} as last_date
  from (
    select created_datetime, created_datetime as last_datetime from {{ ref('int_gorgias__messages') }}
    union all
    select created_datetime, closed_datetime as last_datetime from {{ ref('stg_gorgias__tickets') }}
  ) as moment
),

calendar as (
  {{ gorgias.dates_of('span') }}
),

period as (
  select
    calendar.date_day,
    zone.timezone,
    {{ gorgias.to_utc(gorgias.local_time('calendar.date_day', 'part.opening_minute'), 'zone.timezone') }}
      as opening_datetime,
    {{ gorgias.to_utc(gorgias.local_time('calendar.date_day', 'part.closing_minute'), 'zone.timezone') }}
      as closing_datetime
  from calendar
  cross join zone
  left join part on part.weekday = {{ gorgias.weekday('calendar.date_day') }}
  where zone.timezone is not null
),

day_length as (
  select
    date_day,
    coalesce(sum({{ gorgias.seconds_between('opening_datetime', 'closing_datetime') }}), 0) as seconds
  from period
  group by date_day
),

before as (
  select
    date_day,
    sum(seconds) over (order by date_day rows between unbounded preceding and current row) - seconds
      as seconds_before
  from day_length
)

select
  period.date_day,
  period.timezone,
  period.opening_datetime,
  period.closing_datetime,
  cast(before.seconds_before as {{ dbt.type_bigint() }}) as seconds_before
from period
inner join before on before.date_day = period.date_day
