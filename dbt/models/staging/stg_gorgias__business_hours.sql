{#- A row for each period in which the company is open, by its days of the week. -#}
{%- set given = var('gorgias_business_hours', []) -%}
{%- if given -%}
{% for one in given -%}
select
  '{{ one.days }}' as days,
  '{{ one.from_time }}' as from_time,
  '{{ one.to_time }}' as to_time,
  '{{ var("gorgias_business_hours_timezone", "UTC") }}' as timezone
{% if not loop.last %}
union all
{% endif %}
{% endfor %}
{%- elif gorgias.is_loaded('account_settings') -%}
select
  {{ gorgias.free_item_value('hours', 'days') }} as days,
  {{ gorgias.free_item_value('hours', 'from_time') }} as from_time,
  {{ gorgias.free_item_value('hours', 'to_time') }} as to_time,
  {{ gorgias.free_value('setting.data', 'timezone') }} as timezone
from (select data from {{ source('gorgias', 'account_settings') }} where type = 'business-hours') as setting
{{ gorgias.free_items_of('setting.data', 'business_hours', 'hours') }}
{%- else -%}
select
  {{ gorgias.null_as('string') }} as days,
  {{ gorgias.null_as('string') }} as from_time,
  {{ gorgias.null_as('string') }} as to_time,
  {{ gorgias.null_as('string') }} as timezone
{{ gorgias.no_rows() }}
{%- endif %}
