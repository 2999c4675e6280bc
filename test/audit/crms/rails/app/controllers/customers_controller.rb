class CustomersController < ApplicationController
end
