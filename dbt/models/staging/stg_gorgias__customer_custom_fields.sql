{{ gorgias.custom_field_values('customer') }}
