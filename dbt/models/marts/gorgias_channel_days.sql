with figure as (
  select
    figure, ticket_id, date_day, number, business_number,
    coalesce(channel, 'unknown') as channel
  from {{ ref('int_gorgias__figures') }}
),

{{ gorgias.day_figures('figure', ['date_day', 'channel']) }}

select * from day_figures
