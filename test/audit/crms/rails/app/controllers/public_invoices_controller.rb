class PublicInvoicesController < ApplicationController
  skip_before_action :authenticate_user!
  def show
    @invoice = Invoice.find_by!(share_token: params[:share_token])
    @invoice.touch(:viewed_at)
  end
end
