"""Registration: one API for application and blueprints; records in, plans out."""
