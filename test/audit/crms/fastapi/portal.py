from fastapi import APIRouter, Depends
router = APIRouter(prefix="/customer-portal")

def get_current_customer(token: str = Depends(oauth2)):
    return decode(token)

@router.post("/login")
def login(form: Form):
    customer = find(form.email)
    return token(customer) if verify(form.password, customer.hashed_password) else None

@router.get("/invoices")
def invoices(customer=Depends(get_current_customer)):
    return session.exec(select(Invoice).where(Invoice.customer_id == customer.id))
