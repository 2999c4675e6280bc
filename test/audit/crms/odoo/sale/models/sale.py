from odoo import fields, models

class Partner(models.Model):
    _name = "res.partner"
    name = fields.Char()
    email = fields.Char()
    company_id = fields.Many2one("res.company")

class Company(models.Model):
    _name = "res.company"
    name = fields.Char()

class Users(models.Model):
    _name = "res.users"
    login = fields.Char()
    password = fields.Char()
    partner_id = fields.Many2one("res.partner")
    share = fields.Boolean()

class SaleOrder(models.Model):
    _name = "sale.order"
    name = fields.Char()
    partner_id = fields.Many2one("res.partner")
    company_id = fields.Many2one("res.company")
    state = fields.Selection([("draft", "Quotation"), ("sent", "Sent"), ("sale", "Order")])
    amount_total = fields.Monetary()
    date_order = fields.Datetime()
    access_token = fields.Char()
    signed_by = fields.Char()

class SaleOrderLine(models.Model):
    _name = "sale.order.line"
    order_id = fields.Many2one("sale.order")
    name = fields.Text()
    product_uom_qty = fields.Float()
    price_unit = fields.Float()
