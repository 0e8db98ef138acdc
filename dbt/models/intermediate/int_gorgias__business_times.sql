{#- Seconds in business hours from the first message of a customer to the responses and
to the closing. The business time of a moment is the time that was open until then. -#}

with zone as (
  select max(timezone) as timezone from {{ ref('int_gorgias__business_periods') }}
),

moment as (
  {% for name in ['asked', 'first_reply', 'first_response', 'first_human_response'] -%}
  select ticket_id, '{{ name }}' as name, {{ name }}_datetime as moment
  from {{ ref('int_gorgias__conversations') }}
  where {{ name }}_datetime is not null
  union all
  {% endfor -%}
  select ticket_id, 'closed' as name, closed_datetime as moment
  from {{ ref('stg_gorgias__tickets') }}
  where status = 'closed' and closed_datetime is not null
),

local_moment as (
  select
    moment.*,
    {{ gorgias.date_in('moment.moment', 'zone.timezone') }} as date_day
  from moment
  cross join zone
  where zone.timezone is not null
),

business_time as (
  select
    local_moment.ticket_id,
    local_moment.name,
    max(period.seconds_before) + sum(case
      when local_moment.moment > period.opening_datetime
        then {{ gorgias.seconds_between('period.opening_datetime', 'least(local_moment.moment, period.closing_datetime)') }}
      else 0
    end) as seconds
  from local_moment
  inner join {{ ref('int_gorgias__business_periods') }} as period
    on period.date_day = local_moment.date_day
  group by local_moment.ticket_id, local_moment.name
),

by_ticket as (
  select
    ticket_id
    {%- for name in ['asked', 'first_reply', 'first_response', 'first_human_response', 'closed'] %},
    max(case when name = '{{ name }}' then seconds end) as {{ name }}
    {%- endfor %}
  from business_time
  group by ticket_id
)

select
  ticket_id,
  cast(first_reply - asked as {{ dbt.type_bigint() }}) as first_reply_business_seconds,
  cast(first_response - asked as {{ dbt.type_bigint() }}) as first_response_business_seconds,
  cast(first_human_response - asked as {{ dbt.type_bigint() }}) as first_human_response_business_seconds,
  cast(case when closed >= asked then closed - asked end as {{ dbt.type_bigint() }}) as resolution_business_seconds
from by_ticket
