with figure as (
  select
    figures.figure, figures.ticket_id, figures.date_day, figures.number, figures.business_number,
    tag.tag_id
  from {{ ref('int_gorgias__figures') }} as figures
  inner join {{ ref('stg_gorgias__ticket_tags') }} as tag on tag.ticket_id = figures.ticket_id
),

{{ gorgias.day_figures('figure', ['date_day', 'tag_id']) }},

tag_name as (
  select tag_id, max(tag_name) as tag_name
  from {{ ref('stg_gorgias__ticket_tags') }}
  group by tag_id
)

select
  day_figures.*,
  tag_name.tag_name
from day_figures
left join tag_name on tag_name.tag_id = day_figures.tag_id
