import frappe

def get_list_context(context=None):
    return {"filters": {"customer": frappe.db.get_value("Contact", {"user": frappe.session.user}, "customer")}}
