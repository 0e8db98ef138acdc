{#- Instants are UTC: TIMESTAMP in BigQuery, timestamps without a zone elsewhere. Local
times are DATETIME in BigQuery, timestamps without a zone elsewhere. -#}

{%- macro instant(column) -%}
  {{ return(adapter.dispatch('instant', 'gorgias')(column)) }}
{%- endmacro -%}

{%- macro default__instant(column) -%}
  cast({{ column }} as timestamp)
{%- endmacro -%}

{%- macro snowflake__instant(column) -%}
  cast({{ column }} as timestamp_ntz)
{%- endmacro -%}


{#- The local date of an instant. -#}

{%- macro date_in(instant, zone) -%}
  {{ return(adapter.dispatch('date_in', 'gorgias')(instant, zone)) }}
{%- endmacro -%}

{%- macro default__date_in(instant, zone) -%}
  cast((({{ instant }}) at time zone 'UTC') at time zone {{ zone }} as date)
{%- endmacro -%}

{%- macro bigquery__date_in(instant, zone) -%}
  date({{ instant }}, {{ zone }})
{%- endmacro -%}

{%- macro snowflake__date_in(instant, zone) -%}
  cast(convert_timezone('UTC', {{ zone }}, {{ instant }}) as date)
{%- endmacro -%}


{%- macro local_date(instant) -%}
  {{ gorgias.date_in(instant, "'" ~ var('gorgias_timezone') ~ "'") }}
{%- endmacro -%}


{#- The instant of a local time. -#}

{%- macro to_utc(local, zone) -%}
  {{ return(adapter.dispatch('to_utc', 'gorgias')(local, zone)) }}
{%- endmacro -%}

{%- macro default__to_utc(local, zone) -%}
  ((({{ local }}) at time zone {{ zone }}) at time zone 'UTC')
{%- endmacro -%}

{%- macro bigquery__to_utc(local, zone) -%}
  timestamp({{ local }}, {{ zone }})
{%- endmacro -%}

{%- macro snowflake__to_utc(local, zone) -%}
  convert_timezone({{ zone }}, 'UTC', {{ local }})
{%- endmacro -%}


{#- A local time: a date and minutes after its midnight. -#}

{%- macro local_time(date, minutes) -%}
  {{ return(adapter.dispatch('local_time', 'gorgias')(date, minutes)) }}
{%- endmacro -%}

{%- macro default__local_time(date, minutes) -%}
  {{ dbt.dateadd('minute', minutes, 'cast(' ~ date ~ ' as timestamp)') }}
{%- endmacro -%}

{%- macro bigquery__local_time(date, minutes) -%}
  datetime_add(cast({{ date }} as datetime), interval {{ minutes }} minute)
{%- endmacro -%}

{%- macro snowflake__local_time(date, minutes) -%}
  dateadd(minute, {{ minutes }}, cast({{ date }} as timestamp_ntz))
{%- endmacro -%}


{#- An instant, some minutes later. -#}

{%- macro minutes_after(instant, minutes) -%}
  {{ return(adapter.dispatch('minutes_after', 'gorgias')(instant, minutes)) }}
{%- endmacro -%}

{%- macro default__minutes_after(instant, minutes) -%}
  ({{ dbt.dateadd('minute', minutes, instant) }})
{%- endmacro -%}

{%- macro bigquery__minutes_after(instant, minutes) -%}
  timestamp_add({{ instant }}, interval {{ minutes }} minute)
{%- endmacro -%}


{#- The day of the week of a date: 1 is Monday, 7 is Sunday. -#}

{%- macro weekday(date) -%}
  mod({{ dbt.datediff("cast('2000-01-03' as date)", date, 'day') }}, 7) + 1
{%- endmacro -%}


{#- Whole seconds between two instants. -#}

{%- macro seconds_between(first, second) -%}
  cast({{ dbt.datediff(first, second, 'second') }} as {{ dbt.type_bigint() }})
{%- endmacro -%}


{#- A row for each date of a span, which a table of one row has as `first_date` and
`last_date`; at most 65,536 days. -#}

{%- macro dates_of(span) -%}
  {%- set step = dbt.dateadd('day', 'number.days', span ~ '.first_date') -%}
  select {{ dbt.cast(step, 'date') }} as date_day
  from {{ span }}
  cross join (
    select a.digit + 16 * b.digit + 256 * c.digit + 4096 * d.digit as days
    from {% for name in 'abcd' -%}
    (
      {%- for digit in range(16) %}
      select {{ digit }} as digit {{ 'union all' if not loop.last }}
      {%- endfor %}
    ) as {{ name }} {{ 'cross join' if not loop.last }}
    {% endfor -%}
  ) as number
  where number.days <= {{ dbt.datediff(span ~ '.first_date', span ~ '.last_date', 'day') }}
{%- endmacro -%}
