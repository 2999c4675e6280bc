Rails.application.routes.draw do
  devise_for :users
  resources :customers
  resources :invoices do
    member do
      post :send_mail
    end
  end
  get "i/:share_token", to: "public_invoices#show"
end
