{#- The version of each customer that counts. -#}

{%- set parts = [
  'customer.id', 'customer.external_id', 'customer.email', 'customer.name', 'customer.language',
  'customer.timezone', 'customer.created_datetime', 'contact.version',
  "'" ~ gorgias.version_of_project() ~ "'",
] -%}
{%- if var('gorgias_customer_custom_fields') -%}
  {%- do parts.append('customer.custom_fields') -%}
{%- endif -%}

with contact as (
  select customer_id, {{ gorgias.fingerprint_of_rows(['ticket_id', 'row_version']) }} as version
  from {{ ref('gorgias_tickets') }}
  where customer_id is not null
  group by customer_id
)

select
  {{ gorgias.integer('customer.id') }} as customer_id,
  {{ gorgias.fingerprint(parts) }} as row_version
from {{ source('gorgias', 'customers') }} as customer
left join {{ ref('int_gorgias__removed_customers') }} as removed on removed.customer_id = customer.id
left join contact on contact.customer_id = customer.id
where removed.customer_id is null
