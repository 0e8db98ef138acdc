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
  farm_fingerprint(concat({% for value in values %}to_json_string({{ value }}){{ ", ',', " if not loop.last }}{% endfor %}))
{%- endmacro -%}

{%- macro snowflake__fingerprint(values) -%}
  hash({{ values | join(', ') }})
{%- endmacro -%}


{#- The fingerprint of several rows, in any order. -#}

{%- macro fingerprint_of_rows(values) -%}
  coalesce(sum(mod({{ gorgias.fingerprint(values) }}, 1000000007)), 0)
{%- endmacro -%}


{#- A text that changes with the settings and the SQL of the models. -#}

{%- macro version_of_project() -%}
  {%- set parts = [] -%}
  {%- for name in [
    'gorgias_timezone', 'gorgias_streams_not_loaded', 'gorgias_ticket_custom_fields',
    'gorgias_messages_stream', 'gorgias_database', 'gorgias_schema',
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


{#- Deletes rows of an incremental model whose version is not that in another model. -#}

{%- macro delete_outdated(this, versions) -%}
  {%- if is_incremental() -%}
  delete from {{ this }} as built
  where not exists (
    select 1 from {{ versions }} as version
    where version.ticket_id = built.ticket_id and version.row_version = built.row_version
  )
  {%- endif -%}
{%- endmacro -%}


{#- Tickets that an incremental model does not have yet; all of them in a full build. -#}

{%- macro missing_tickets(versions) -%}
  select version.ticket_id, version.row_version
  from {{ versions }} as version
  {%- if is_incremental() %}
  left join (select distinct ticket_id from {{ this }}) as built on built.ticket_id = version.ticket_id
  where built.ticket_id is null
  {%- endif %}
{%- endmacro -%}


{#- The tickets, each with a version of its tags. -#}

{%- macro versions_of_tags() -%}
  (
    select {{ gorgias.integer('id') }} as ticket_id, {{ gorgias.fingerprint(['tags']) }} as row_version
    from {{ source('gorgias', 'tickets') }}
  )
{%- endmacro -%}
