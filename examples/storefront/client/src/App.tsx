import { useEffect, useState } from 'react';
import { Route, Routes } from 'react-router-dom';
import { AdminCustomers } from './admin/AdminCustomers';
import { AdminDashboard } from './admin/AdminDashboard';
import { AdminOrders } from './admin/AdminOrders';
import { AdminProductImage } from './admin/AdminProductImage';
import { Header } from './components/Header';
import { Notifications } from './components/Notifications';
import { ShopProvider } from './context/ShopContext';
import { CatalogPage } from './pages/CatalogPage';
import { CheckoutPage } from './pages/CheckoutPage';
import { LoginPage } from './pages/LoginPage';
import { OrdersPage } from './pages/OrdersPage';
import { ProductPage } from './pages/ProductPage';

export function App() {
  const [scrollY, setScrollY] = useState(0);

  useEffect(() => {
    window.addEventListener('scroll', () => setScrollY(window.scrollY));
  }, []);

  return (
    <ShopProvider>
      <Header compact={scrollY > 80} />
      <Notifications />
      <Routes>
        <Route path="/" element={<CatalogPage />} />
        <Route path="/products/:slug" element={<ProductPage />} />
        <Route path="/checkout" element={<CheckoutPage />} />
        <Route path="/orders" element={<OrdersPage />} />
        <Route path="/login" element={<LoginPage />} />
        <Route path="/admin" element={<AdminDashboard />} />
        <Route path="/admin/orders" element={<AdminOrders />} />
        <Route path="/admin/customers" element={<AdminCustomers />} />
        <Route path="/admin/products/:id/image" element={<AdminProductImage />} />
      </Routes>
    </ShopProvider>
  );
}
