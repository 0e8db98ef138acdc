{#- Gorgias' figures next to those of these models, by day and the preset's dimensions. -#}

{%- set presets = {
  'tickets_created': {'measure': 'ticket_count', 'figure': 'ticket_created', 'number': 'count(*)'},
  'tickets_closed': {'measure': 'ticket_count', 'figure': 'ticket_closed', 'number': 'count(*)'},
  'tickets_replied': {'measure': 'ticket_count', 'figure': 'message_sent', 'number': 'count(distinct ticket_id)'},
  'one_touch_tickets': {'measure': 'ticket_count', 'figure': 'one_touch', 'number': 'count(*)'},
  'messages_sent': {'measure': 'messages_count', 'figure': 'message_sent', 'number': 'count(*)'},
  'messages_received': {'measure': 'messages_count', 'figure': 'message_received', 'number': 'count(*)'},
  'satisfaction': {'measure': 'average_survey_score', 'figure': 'score', 'number': 'avg(number)'},
  'first_response_time': {'measure': 'median_first_response_time', 'figure': 'first_response', 'number': 'median'},
  'resolution_time': {'measure': 'median_resolution_time', 'figure': 'resolution', 'number': 'median'},
} -%}
{%- set loaded = [] -%}
{%- for name in var('gorgias_statistics', []) if name in presets -%}
  {%- do loaded.append(name) -%}
{%- endfor -%}

{{ config(enabled=loaded | length > 0) }}

with
{%- for name in loaded %}
{%- set preset = presets[name] %}
{%- set agent = 'null' if name == 'messages_received' else 'agent_id' %}
{{ name }}_read as (
  {#- A run reads all periods from a date on: a row is out of date if a row of the same
  or an earlier period was read later. -#}
  select
    {{ gorgias.date_in(gorgias.instant('period_start'), 'timezone') }} as date_day,
    timezone,
    cast({{ agent }} as {{ dbt.type_bigint() }}) as agent_id,
    channel,
    cast({{ preset.measure }} as {{ gorgias.type_double() }}) as figure,
    {{ gorgias.instant('read_datetime') }} as read_datetime,
    max({{ gorgias.instant('read_datetime') }}) over (
      order by {{ gorgias.instant('period_start') }}
    ) as newest_datetime
  from {{ source('gorgias', 'statistics_' ~ name) }}
),

{{ name }}_figure as (
  select
    figures.statistics_date as date_day,
    {{ 'cast(null as ' ~ dbt.type_bigint() ~ ')' if agent == 'null' else 'figures.agent_id' }} as agent_id,
    figures.channel,
    figures.ticket_id,
    figures.number
  from {{ ref('int_gorgias__figures') }} as figures
  where figures.figure = '{{ preset.figure }}'
),

{{ name }}_computed as (
  {% if preset.number == 'median' -%}
  {{ gorgias.percentiles(name ~ '_figure', ['date_day', 'agent_id', 'channel'], [['figure', 'number', 0.5]]) | indent(2) }}
  {%- else -%}
  select date_day, agent_id, channel, cast({{ preset.number }} as {{ gorgias.type_double() }}) as figure
  from {{ name }}_figure
  group by date_day, agent_id, channel
  {%- endif %}
){{ ',' if not loop.last }}
{% endfor %}

{% for name in loaded %}
select
  '{{ name }}' as statistic,
  coalesce(given.date_day, computed.date_day) as date_day,
  coalesce(given.agent_id, computed.agent_id) as agent_id,
  coalesce(given.channel, computed.channel) as channel,
  given.figure as gorgias_figure,
  computed.figure as model_figure,
  {% if name in ['satisfaction', 'first_response_time', 'resolution_time'] -%}
  computed.figure - given.figure as difference
  {%- else -%}
  coalesce(computed.figure, 0) - coalesce(given.figure, 0) as difference
  {%- endif %}
from (select * from {{ name }}_read where read_datetime = newest_datetime) as given
full outer join {{ name }}_computed as computed
  on computed.date_day = given.date_day
  and coalesce(computed.agent_id, -1) = coalesce(given.agent_id, -1)
  and coalesce(computed.channel, '') = coalesce(given.channel, '')
{% if not loop.last %}
union all
{% endif %}
{% endfor %}
