{#- Whether a stream is loaded, so that models can leave out what needs it. -#}

{%- macro is_loaded(stream) -%}
  {{ return(stream not in var('gorgias_streams_not_loaded', [])) }}
{%- endmacro -%}


{#- A null of a type, in place of a column of a stream that is not loaded. -#}

{%- macro null_as(type) -%}
  cast(null as {{ gorgias.type_of(type) }})
{%- endmacro -%}


{#- The texts of a variable as an SQL list that is never empty. -#}

{%- macro text_list(texts) -%}
  ('' {%- for text in texts %}, '{{ text | lower | replace("'", "''") }}'{% endfor %})
{%- endmacro -%}


{#- Ends a SELECT of constants so that it finds nothing, in every dialect. -#}

{%- macro no_rows() -%}
  from (select 1 as nothing) as nothing where 1 = 0
{%- endmacro -%}


{#- The table of messages. -#}

{%- macro messages() -%}
  {{ return(source('gorgias', var('gorgias_messages_stream', 'ticket_messages'))) }}
{%- endmacro -%}
