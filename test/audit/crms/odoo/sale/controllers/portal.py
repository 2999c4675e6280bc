from odoo import http
from odoo.http import request

class CustomerPortal(portal.CustomerPortal):

    @http.route(["/my/quotes", "/my/quotes/page/<int:page>"], type="http", auth="user", website=True)
    def portal_my_quotes(self, page=1, **kw):
        partner = request.env.user.partner_id
        return request.render("sale.portal_my_quotations", {"quotations": request.env["sale.order"].search([("partner_id", "child_of", partner.id)])})

    @http.route(["/my/quotes/<int:order_id>"], type="http", auth="public", website=True)
    def portal_order_page(self, order_id, access_token=None, **kw):
        order_sudo = self._document_check_access("sale.order", order_id, access_token=access_token)
        return request.render("sale.sale_order_portal_template", {"sale_order": order_sudo})

    @http.route(["/my/quotes/<int:order_id>/accept"], type="json", auth="public", website=True)
    def portal_quote_accept(self, order_id, access_token=None, name=None, signature=None):
        order_sudo = self._document_check_access("sale.order", order_id, access_token=access_token)
        order_sudo.write({"signed_by": name, "signature": signature})
        order_sudo.action_confirm()

    @http.route("/web/login", type="http", auth="none")
    def web_login(self, redirect=None, **kw):
        request.session.authenticate(request.params["login"], request.params["password"])
