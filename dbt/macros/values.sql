{#- Values in objects and lists. A declared object is a JSON column in DuckDB, PostgreSQL
and Snowflake, and a STRUCT in BigQuery. A free-form object is JSON in all of them. -#}

{%- macro value(column, keys, type='string') -%}
  {{ return(adapter.dispatch('value', 'gorgias')(column, keys.split('.'), type)) }}
{%- endmacro -%}

{%- macro default__value(column, keys, type) -%}
  cast({{ column }}{% for key in keys %} {{ '->>' if loop.last else '->' }} '{{ key }}'{% endfor %} as {{ gorgias.type_of(type) }})
{%- endmacro -%}

{%- macro bigquery__value(column, keys, type) -%}
  cast({{ column }}{% for key in keys %}.`{{ key }}`{% endfor %} as {{ gorgias.type_of(type) }})
{%- endmacro -%}

{%- macro snowflake__value(column, keys, type) -%}
  cast({{ column }}:{% for key in keys %}"{{ key }}"{{ '.' if not loop.last }}{% endfor %} as {{ gorgias.type_of(type) }})
{%- endmacro -%}


{%- macro free_value(column, key, type='string') -%}
  {{ return(adapter.dispatch('free_value', 'gorgias')(column, key, type)) }}
{%- endmacro -%}

{%- macro default__free_value(column, key, type) -%}
  {{ gorgias.value(column, key, type) }}
{%- endmacro -%}

{%- macro bigquery__free_value(column, key, type) -%}
  cast(lax_string({{ column }}.`{{ key }}`) as {{ gorgias.type_of(type) }})
{%- endmacro -%}


{#- The rows of a list that is a column. Follows a table in FROM. -#}

{%- macro items_of(column, item) -%}
  {{ return(adapter.dispatch('items_of', 'gorgias')(column, item)) }}
{%- endmacro -%}

{%- macro duckdb__items_of(column, item) -%}
  cross join unnest(cast({{ column }} as json[])) as {{ item }}_rows({{ item }})
{%- endmacro -%}

{%- macro postgres__items_of(column, item) -%}
  cross join lateral jsonb_array_elements(
    case when jsonb_typeof(to_jsonb({{ column }})) = 'array' then to_jsonb({{ column }}) end
  ) as {{ item }}_rows({{ item }})
{%- endmacro -%}

{%- macro bigquery__items_of(column, item) -%}
  cross join unnest({{ column }}) as {{ item }}
{%- endmacro -%}

{%- macro snowflake__items_of(column, item) -%}
  cross join lateral flatten(input => {{ column }}) as {{ item }}
{%- endmacro -%}


{#- The rows of a list in a declared object. -#}

{%- macro nested_items_of(column, key, item) -%}
  {{ return(adapter.dispatch('nested_items_of', 'gorgias')(column, key, item)) }}
{%- endmacro -%}

{%- macro default__nested_items_of(column, key, item) -%}
  {{ gorgias.items_of("(" ~ column ~ " -> '" ~ key ~ "')", item) }}
{%- endmacro -%}

{%- macro bigquery__nested_items_of(column, key, item) -%}
  {{ gorgias.items_of(column ~ ".`" ~ key ~ "`", item) }}
{%- endmacro -%}

{%- macro snowflake__nested_items_of(column, key, item) -%}
  {{ gorgias.items_of(column ~ ':"' ~ key ~ '"', item) }}
{%- endmacro -%}


{#- The rows of a list in a free-form object, whose values `free_item_value` finds. -#}

{%- macro free_items_of(column, key, item) -%}
  {{ return(adapter.dispatch('free_items_of', 'gorgias')(column, key, item)) }}
{%- endmacro -%}

{%- macro default__free_items_of(column, key, item) -%}
  {{ gorgias.nested_items_of(column, key, item) }}
{%- endmacro -%}

{%- macro bigquery__free_items_of(column, key, item) -%}
  cross join unnest(json_query_array({{ column }}, '$.{{ key }}')) as {{ item }}
{%- endmacro -%}


{%- macro item_value(item, key, type='string') -%}
  {{ return(gorgias.value(item ~ '.value' if target.type == 'snowflake' else item, key, type)) }}
{%- endmacro -%}

{%- macro free_item_value(item, key, type='string') -%}
  {{ return(gorgias.free_value(item ~ '.value' if target.type == 'snowflake' else item, key, type)) }}
{%- endmacro -%}


{#- The keys of a free-form object whose values are objects. -#}

{%- macro entries_of(column, entry) -%}
  {{ return(adapter.dispatch('entries_of', 'gorgias')(column, entry)) }}
{%- endmacro -%}

{%- macro duckdb__entries_of(column, entry) -%}
  cross join unnest(json_keys({{ column }})) as {{ entry }}_rows({{ entry }})
{%- endmacro -%}

{%- macro postgres__entries_of(column, entry) -%}
  cross join lateral jsonb_object_keys(
    case when jsonb_typeof({{ column }}) = 'object' then {{ column }} end
  ) as {{ entry }}_rows({{ entry }})
{%- endmacro -%}

{%- macro bigquery__entries_of(column, entry) -%}
  cross join unnest(json_keys({{ column }}, 1)) as {{ entry }}
{%- endmacro -%}

{%- macro snowflake__entries_of(column, entry) -%}
  cross join lateral flatten(input => {{ column }}) as {{ entry }}
{%- endmacro -%}


{%- macro entry_key(entry, type='string') -%}
  cast({{ entry ~ '.key' if target.type == 'snowflake' else entry }} as {{ gorgias.type_of(type) }})
{%- endmacro -%}


{%- macro entry_value(column, entry, key) -%}
  {{ return(adapter.dispatch('entry_value', 'gorgias')(column, entry, key)) }}
{%- endmacro -%}

{%- macro default__entry_value(column, entry, key) -%}
  ({{ column }} -> {{ entry }} ->> '{{ key }}')
{%- endmacro -%}

{%- macro bigquery__entry_value(column, entry, key) -%}
  lax_string({{ column }}[{{ entry }}].`{{ key }}`)
{%- endmacro -%}

{%- macro snowflake__entry_value(column, entry, key) -%}
  cast({{ entry }}.value:"{{ key }}" as {{ dbt.type_string() }})
{%- endmacro -%}


{#- A whole number; some versions of target-duckdb make it a DOUBLE. -#}

{%- macro integer(column) -%}
  cast({{ column }} as {{ dbt.type_bigint() }})
{%- endmacro -%}


{%- macro type_of(name) -%}
  {%- if name == 'string' -%}{{ return(dbt.type_string()) }}
  {%- elif name == 'integer' -%}{{ return(dbt.type_bigint()) }}
  {%- elif name == 'float' -%}{{ return(gorgias.type_double()) }}
  {%- elif name == 'boolean' -%}{{ return(dbt.type_boolean()) }}
  {%- elif name == 'timestamp' -%}{{ return(dbt.type_timestamp()) }}
  {%- else -%}{{ exceptions.raise_compiler_error("No type " ~ name) }}
  {%- endif -%}
{%- endmacro -%}


{#- A floating-point number of eight bytes; FLOAT has four in DuckDB. -#}

{%- macro type_double() -%}
  {{ return(adapter.dispatch('type_double', 'gorgias')()) }}
{%- endmacro -%}

{%- macro default__type_double() -%}
  double precision
{%- endmacro -%}

{%- macro bigquery__type_double() -%}
  float64
{%- endmacro -%}
