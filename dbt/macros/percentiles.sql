{#- A query for percentiles by group. `figures` is a list of [column, expression, share];
nulls are ignored. BigQuery has exact percentiles only as window functions. -#}

{%- macro percentiles(relation, groups, figures) -%}
  {{ return(adapter.dispatch('percentiles', 'gorgias')(relation, groups, figures)) }}
{%- endmacro -%}

{%- macro default__percentiles(relation, groups, figures) -%}
  select
    {{ groups | join(', ') }}
    {%- for column, expression, share in figures %},
    cast(percentile_cont({{ share }}) within group (order by {{ expression }}) as {{ gorgias.type_double() }}) as {{ column }}
    {%- endfor %}
  from {{ relation }}
  group by {{ groups | join(', ') }}
{%- endmacro -%}

{%- macro bigquery__percentiles(relation, groups, figures) -%}
  select distinct
    {{ groups | join(', ') }}
    {%- for column, expression, share in figures %},
    percentile_cont({{ expression }}, {{ share }}) over (partition by {{ groups | join(', ') }}) as {{ column }}
    {%- endfor %}
  from {{ relation }}
{%- endmacro -%}
