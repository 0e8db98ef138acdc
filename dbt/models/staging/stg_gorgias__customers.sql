select
  {{ gorgias.integer('customer.id') }} as customer_id,
  customer.external_id,
  customer.active as is_active,
  customer.email,
  lower(customer.email) as email_lower,
  customer.name,
  customer.firstname,
  customer.lastname,
  customer.language,
  customer.timezone,
  customer.note,
  {{ gorgias.instant('customer.created_datetime') }} as created_datetime,
  {{ gorgias.instant('customer.updated_datetime') }} as updated_datetime,
  coalesce(removed.is_deleted, false) as is_deleted,
  removed.merged_into_customer_id is not null as is_merged,
  removed.merged_into_customer_id,
  removed.customer_id is null as is_current
from {{ source('gorgias', 'customers') }} as customer
left join {{ ref('int_gorgias__removed_customers') }} as removed on removed.customer_id = customer.id
