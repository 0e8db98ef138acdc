{#- The figures of days that an incremental model does not have yet. -#}

{%- macro figures_of_missing_days() -%}
  (
    select figures.*, missing.row_version as day_version
    from {{ ref('int_gorgias__figures') }} as figures
    inner join ({{ gorgias.missing(ref('int_gorgias__day_versions'), 'date_day') }}) as missing
      on missing.date_day = figures.date_day
  )
{%- endmacro -%}


{#- The figures of each day and group, from rows of `int_gorgias__figures`. -#}

{%- macro day_figures(relation, groups) -%}
counted as (
  select
    {{ groups | join(', ') }},
    max(day_version) as row_version,
    sum(case when figure = 'ticket_created' then 1 else 0 end) as tickets_created,
    count(distinct case when figure = 'message_sent' then ticket_id end) as tickets_replied,
    sum(case when figure = 'ticket_closed' then 1 else 0 end) as tickets_closed,
    sum(case when figure = 'one_touch' then 1 else 0 end) as one_touch_tickets,
    sum(case when figure = 'message_received' then 1 else 0 end) as messages_received,
    sum(case when figure = 'message_sent' then 1 else 0 end) as messages_sent,
    sum(case when figure = 'first_response' then 1 else 0 end) as first_responses,
    sum(case when figure = 'resolution' then 1 else 0 end) as resolutions,
    sum(case when figure = 'survey_sent' then 1 else 0 end) as surveys_sent,
    sum(case when figure = 'score' then 1 else 0 end) as surveys_scored,
    sum(case when figure = 'score' and number >= 4 then 1 else 0 end) as surveys_satisfied,
    avg(case when figure = 'score' then number end) as average_score
  from {{ relation }}
  group by {{ groups | join(', ') }}
),

duration as (
  select * from {{ relation }} where figure in ('first_response', 'resolution')
),

measured as (
  {{ gorgias.percentiles('duration', groups, [
    ['median_first_response_seconds', "case when figure = 'first_response' then number end", 0.5],
    ['p90_first_response_seconds', "case when figure = 'first_response' then number end", 0.9],
    ['median_first_response_business_seconds', "case when figure = 'first_response' then business_number end", 0.5],
    ['median_resolution_seconds', "case when figure = 'resolution' then number end", 0.5],
    ['p90_resolution_seconds', "case when figure = 'resolution' then number end", 0.9],
    ['median_resolution_business_seconds', "case when figure = 'resolution' then business_number end", 0.5],
  ]) | indent(2) }}
),

day_figures as (
  select
    counted.*,
    measured.median_first_response_seconds,
    measured.p90_first_response_seconds,
    measured.median_first_response_business_seconds,
    measured.median_resolution_seconds,
    measured.p90_resolution_seconds,
    measured.median_resolution_business_seconds
  from counted
  left join measured
    on {% for group in groups %}measured.{{ group }} = counted.{{ group }}{{ ' and ' if not loop.last }}{% endfor %}
)
{%- endmacro -%}
