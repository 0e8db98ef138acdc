{#- A row for each value of a custom field of tickets or customers, of all or of those
among the rows of a relation. -#}

{%- macro custom_field_values(kind, among=none) -%}
with entry as (
  select
    {{ gorgias.integer('record.id') }} as {{ kind }}_id,
    {{ gorgias.entry_key('field', 'integer') }} as field_id,
    {{ gorgias.entry_value('record.custom_fields', 'field', 'value') }} as value
  from {{ source('gorgias', kind ~ 's') }} as record
  {%- if among %}
  inner join {{ among }} on {{ among }}.{{ kind }}_id = record.id
  {%- endif %}
  {{ gorgias.entries_of('record.custom_fields', 'field') }}
)

select
  entry.{{ kind }}_id,
  entry.field_id,
  {% if gorgias.is_loaded('custom_fields') -%}
  definition.label,
  {{ gorgias.value('definition.definition', 'data_type') }} as data_type,
  definition.managed_type,
  {% else -%}
  {{ gorgias.null_as('string') }} as label,
  {{ gorgias.null_as('string') }} as data_type,
  {{ gorgias.null_as('string') }} as managed_type,
  {% endif -%}
  entry.value,
  replace(entry.value, '::', ' > ') as readable_value
  {%- for level in range(1, 6) %},
  nullif({{ dbt.split_part('entry.value', "'::'", level) }}, '') as level_{{ level }}
  {%- endfor %}
from entry
{% if gorgias.is_loaded('custom_fields') -%}
left join {{ source('gorgias', 'custom_fields') }} as definition on definition.id = entry.field_id
{%- endif %}
where entry.value is not null
{%- endmacro -%}


{#- The custom fields of a variable as columns, by an aggregate over their rows. -#}

{%- macro custom_field_columns(variable, relation) -%}
  {%- for column, field_id in var(variable, {}).items() %},
  max(case when {{ relation }}.field_id = {{ field_id }} then {{ relation }}.value end) as {{ column }}
  {%- endfor %}
{%- endmacro -%}


{%- macro custom_field_names(variable, relation) -%}
  {%- for column in var(variable, {}) %},
  {{ relation }}.{{ column }}
  {%- endfor %}
{%- endmacro -%}
