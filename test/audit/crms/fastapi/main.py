from fastapi import FastAPI
import portal
app = FastAPI()
app.include_router(portal.router, prefix="/api")

@app.get("/api/invoices")
def invoices(user=Depends(get_current_user)):
    return session.exec(select(Invoice))
