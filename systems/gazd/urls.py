
app_name = "gazd"
urlpatterns = []
