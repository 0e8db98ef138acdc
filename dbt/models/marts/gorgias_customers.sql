{{ config(
  materialized='incremental',
  pre_hook=gorgias.hook("{{ gorgias.delete_outdated(this, ref('int_gorgias__customer_versions'), 'customer_id') }}"),
) }}
with missing as (
  {{ gorgias.missing(ref('int_gorgias__customer_versions'), 'customer_id') }}
),

{% if var('gorgias_customer_custom_fields') -%}
field as (
  select
    customer_id
    {{- gorgias.custom_field_columns('gorgias_customer_custom_fields', 'value_of') }}
  from ({{ gorgias.custom_field_values('customer', among='missing') }}) as value_of
  group by customer_id
),

{% endif -%}
contact as (
  select
    customer_id,
    count(*) as tickets,
    sum(case when status = 'open' then 1 else 0 end) as open_tickets,
    sum(customer_messages) as messages,
    min(created_datetime) as first_ticket_datetime,
    max(created_datetime) as last_ticket_datetime,
    max(last_customer_message_datetime) as last_contact_datetime,
    sum(case when satisfaction_score is not null then 1 else 0 end) as surveys_scored,
    avg(satisfaction_score) as average_score
  from {{ ref('gorgias_tickets') }}
  where customer_id is not null
  group by customer_id
)

select
  customer.customer_id,
  customer.external_id,
  customer.email_lower,
  customer.name,
  customer.language,
  customer.timezone,
  customer.created_datetime,
  coalesce(contact.tickets, 0) as tickets,
  coalesce(contact.open_tickets, 0) as open_tickets,
  coalesce(contact.messages, 0) as messages,
  contact.first_ticket_datetime,
  contact.last_ticket_datetime,
  contact.last_contact_datetime,
  coalesce(contact.surveys_scored, 0) as surveys_scored,
  contact.average_score
  {{- gorgias.custom_field_names('gorgias_customer_custom_fields', 'field') }},
  missing.row_version
from missing
inner join {{ ref('stg_gorgias__customers') }} as customer on customer.customer_id = missing.customer_id
left join contact on contact.customer_id = customer.customer_id
{% if var('gorgias_customer_custom_fields') -%}
left join field on field.customer_id = customer.customer_id
{%- endif %}
