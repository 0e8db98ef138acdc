{#- Incremental models keep the version of each row: a number made of all that the row
depends on. A build deletes rows whose version is outdated and adds those that are missing,
so that it ends as a full build would, whatever changed. -#}

{%- macro fingerprint(values) -%}
  {{ return(adapter.dispatch('fingerprint', 'gorgias')(values)) }}
{%- endmacro -%}

{%- macro duckdb__fingerprint(values) -%}
  cast(hash({{ values | join(', ') }}) >> 1 as bigint)
{%- endmacro -%}

{%- macro postgres__fingerprint(values) -%}
  hashtextextended(cast(row({{ values | join(', ') }}) as text), 0)
{%- endmacro -%}

{%- macro bigquery__fingerprint(values) -%}
  farm_fingerprint(concat({% for value in values %}coalesce(to_json_string({{ value }}), ''){{ ", ',', " if not loop.last }}{% endfor %}))
{%- endmacro -%}

{%- macro snowflake__fingerprint(values) -%}
  mod(hash({{ values | join(', ') }}), 9007199254740992)
{%- endmacro -%}


{#- The fingerprint of several rows, in any order. -#}

{%- macro fingerprint_of_rows(values) -%}
  {{ gorgias.integer('coalesce(sum(mod(' ~ gorgias.fingerprint(values) ~ ', 1000000007)), 0)') }}
{%- endmacro -%}


{#- A text that changes with the settings and the SQL of the models. -#}

{%- macro version_of_project() -%}
  {%- set parts = [] -%}
  {%- for name in [
    'gorgias_timezone', 'gorgias_streams_not_loaded', 'gorgias_ticket_custom_fields',
    'gorgias_customer_custom_fields', 'gorgias_messages_stream', 'gorgias_database', 'gorgias_schema',
  ] -%}
    {%- do parts.append(var(name) | string) -%}
  {%- endfor -%}
  {%- if execute -%}
    {%- for node in graph.nodes.values() if node.resource_type == 'model' and node.package_name == 'gorgias' -%}
      {%- do parts.append(node.checksum.checksum) -%}
    {%- endfor -%}
  {%- endif -%}
  {{ return(local_md5(parts | sort | join(' '))) }}
{%- endmacro -%}


{#- Whether a build keeps rows of the last one. With `--full-refresh`, this needs no connection. -#}

{%- macro keeps_rows() -%}
  {{ return(is_incremental() if execute and not should_full_refresh() else false) }}
{%- endmacro -%}


{#- A hook that runs in the transaction of its model. On DuckDB it runs before that, because a
transaction that deletes rows of a table cannot add a column to it. -#}

{%- macro hook(sql) -%}
  {{ return({'sql': sql, 'transaction': target.type != 'duckdb'}) }}
{%- endmacro -%}


{#- Deletes rows of an incremental model whose version is not that in another model. -#}

{%- macro delete_outdated(this, versions, key='ticket_id') -%}
  {%- if gorgias.keeps_rows() -%}
  delete from {{ this }} as built
  where not exists (
    select 1 from {{ versions }} as version
    where version.{{ key }} = built.{{ key }} and version.row_version = built.row_version
  )
  {%- endif -%}
{%- endmacro -%}


{#- Keys that an incremental model does not have yet; all of them in a full build. `first` is
true of one of the rows of each. -#}

{%- macro missing(versions, key='ticket_id', first='1 = 1') -%}
  select version.{{ key }}, version.row_version
  from {{ versions }} as version
  {%- if gorgias.keeps_rows() %}
  left join (select distinct {{ key }} from {{ this }} where {{ first }}) as built on built.{{ key }} = version.{{ key }}
  where built.{{ key }} is null
  {%- endif %}
{%- endmacro -%}


{#- The tickets, each with a version of its tags. -#}

{%- macro versions_of_tags() -%}
  (
    select {{ gorgias.integer('id') }} as ticket_id, {{ gorgias.fingerprint(['tags']) }} as row_version
    from {{ source('gorgias', 'tickets') }}
  )
{%- endmacro -%}
