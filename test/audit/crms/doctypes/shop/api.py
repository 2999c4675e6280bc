import frappe

@frappe.whitelist()
def submit_quotation(name):
    frappe.get_doc("Quotation", name).submit()
