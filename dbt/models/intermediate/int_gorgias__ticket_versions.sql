{#- The version of each ticket that counts. -#}

{%- set facts = [
  'external_id', 'status', 'priority', 'channel', 'via', 'from_agent', 'customer', 'assignee_user',
  'assignee_team', 'subject', 'language', 'custom_fields', 'created_datetime', 'updated_datetime',
  'closed_datetime', 'snooze_datetime',
] -%}
{%- set parts = ['ticket.ticket_id', 'ticket.facts', 'settings.version', "'" ~ gorgias.version_of_project() ~ "'"] -%}

with ticket as (
  select
    {{ gorgias.integer('id') }} as ticket_id,
    {{ gorgias.value('customer', 'id', 'integer') }} as customer_id,
    {{ gorgias.fingerprint(facts) }} as facts
  from {{ source('gorgias', 'tickets') }}
  where trashed_datetime is null and not coalesce(spam, false)
),

{%- set relations = {} %}
{%- do relations.update(message=[ref('int_gorgias__messages'), ['message_id', 'author', 'is_public', 'sender_id', 'created_datetime']]) %}
{%- do relations.update(tag=[ref('stg_gorgias__ticket_tags'), ['tag_id', 'tag_name']]) %}
{%- if gorgias.is_loaded('satisfaction_surveys') %}
  {%- do relations.update(survey=[ref('stg_gorgias__satisfaction_surveys'), ['survey_id', 'score', 'created_datetime', 'sent_datetime', 'scored_datetime']]) %}
{%- endif %}
{%- if gorgias.is_loaded('voice_calls') %}
  {%- do relations.update(phone=[ref('stg_gorgias__voice_calls'), ['call_id', 'duration_seconds']]) %}
{%- endif %}
{%- if gorgias.is_loaded('events') %}
  {%- do relations.update(reopening=["(select * from " ~ ref('stg_gorgias__events') ~ " where type = 'ticket-reopened') as event", ['event_id']]) %}
{%- endif %}
{%- for name, (relation, columns) in relations.items() %}
{%- do parts.append(name ~ '.version') %}

{{ name }} as (
  select ticket_id, {{ gorgias.fingerprint_of_rows(columns) }} as version
  from {{ relation }}
  where ticket_id is not null
  group by ticket_id
),
{%- endfor %}

{#- A change of these changes all tickets. -#}
settings as (
  select sum(version) as version
  from (
    select {{ gorgias.fingerprint_of_rows(['id', 'name', gorgias.value('role', 'name')]) }} as version
    from {{ source('gorgias', 'users') }}
    union all
    select {{ gorgias.fingerprint_of_rows(['days', 'from_time', 'to_time', 'timezone']) }} as version
    from {{ ref('stg_gorgias__business_hours') }}
    {%- if gorgias.is_loaded('teams') %}
    union all
    select {{ gorgias.fingerprint_of_rows(['team_id', 'name']) }} as version from {{ ref('stg_gorgias__teams') }}
    {%- endif %}
    {%- if gorgias.is_loaded('custom_fields') %}
    union all
    select {{ gorgias.fingerprint_of_rows(['id', 'managed_type']) }} as version
    from {{ source('gorgias', 'custom_fields') }}
    {%- endif %}
  ) as part
)

select
  ticket.ticket_id,
  {{ gorgias.fingerprint(parts + ['removed_customer.merged_into_customer_id', 'customer.email']) }} as row_version
from ticket
cross join settings
left join {{ ref('int_gorgias__removed_tickets') }} as removed on removed.ticket_id = ticket.ticket_id
left join {{ ref('int_gorgias__removed_customers') }} as removed_customer
  on removed_customer.customer_id = ticket.customer_id
left join {{ source('gorgias', 'customers') }} as customer
  on customer.id = coalesce(removed_customer.merged_into_customer_id, ticket.customer_id)
{%- for name in relations %}
left join {{ name }} on {{ name }}.ticket_id = ticket.ticket_id
{%- endfor %}
where removed.ticket_id is null
